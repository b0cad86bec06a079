package usage.request_test

import data.usage.examples
import data.usage.request

codes(facts) := found if {
	found := {v.code | some v in request.violations} with input as facts
}

changed(path, value) := json.patch(examples.search, [{"op": "add", "path": path, "value": value}])

missing(path) := json.patch(examples.search, [{"op": "remove", "path": path}])

test_sound_facts_have_no_violation if {
	codes(examples.search) == set()
	codes(examples.by(examples.searchers, "victim_identification")) == set()
	every word in ["", "no", "yes"] {
		codes(object.union(examples.search, {"public_space": word, "realtime": word})) == set()
	}
}

test_each_fact_must_be_there if {
	every path in [
		"action", "case", "evidence", "jurisdiction", "on_behalf_of", "principal", "principal/id",
		"principal/roles", "purpose", "request", "tenant", "tenant/id", "tenant/kind",
		"tenant/jurisdiction", "time", "time/now", "time/ns",
	] {
		codes(missing(path)) == {"FACTS_MALFORMED"}
	}
	codes({}) == {"FACTS_MALFORMED"}
	codes([]) == {"FACTS_MALFORMED"}
}

test_each_fact_must_have_its_shape if {
	every path, values in {
		"action": [1, null, ["face.search"]],
		"purpose": [0, null, {"a": 1}],
		"public_space": [true, null, "Yes", "maybe"],
		"realtime": [false, null, "no ", ["yes"]],
		"client": ["", null, false, {}, {"id": "x", "kind": "newsroom"}],
		"evidence": ["", null, []],
		"request": ["x", null, []],
		"principal/id": ["", 1, null],
		"principal/roles": ["auditor", null, {"auditor": true}],
		"tenant": ["metro-police", null],
		"tenant/kind": ["", 1],
		"tenant/serves": ["police_department", null],
		"time/ns": ["1", null],
		"time/now": ["now", "2026-11-22", "2026-11-22 00:35:37Z", "2026-11-22T00:35:37+00:00", "22-11-2026T00:35:37Z", 1, null],
	} {
		every value in values {
			codes(changed(path, value)) == {"FACTS_MALFORMED"}
		}
	}
}

test_an_unknown_action_is_a_violation if {
	every action in ["", "face.Search", "face.search ", "*"] {
		codes(changed("action", action)) == {"ACTION_UNKNOWN"}
	}
}

test_an_action_without_classes_is_a_violation if {
	every classes in [[], "face_comparison", null] {
		codes(examples.search) == {"ACTION_UNKNOWN"} with data.law.actions as {"face.search": {"classes": classes}}
	}
}

test_an_unknown_kind_is_a_violation if {
	codes(changed("tenant/kind", "Newsroom")) == {"TENANT_KIND_UNKNOWN"}
	codes(changed("tenant/serves", ["sheriff"])) == {"TENANT_KIND_UNKNOWN"}
}

test_whom_it_acts_for_must_be_known if {
	codes(changed("on_behalf_of", "the police")) == {"CLIENT_UNKNOWN"}
	codes(changed("on_behalf_of", "police_department")) == set()
	named := object.union(examples.search, {"on_behalf_of": "metro-police", "client": examples.police})
	codes(named) == set()
	codes(object.union(named, {"on_behalf_of": "daily-herald"})) == {"CLIENT_UNKNOWN"}
}

test_a_declared_place_must_be_known if {
	codes(changed("jurisdiction", "IT")) == set()
	codes(changed("jurisdiction", "US-WA")) == set()
	codes(changed("jurisdiction", "it")) == {"JURISDICTION_UNKNOWN"}
	codes(changed("jurisdiction", "Italy")) == {"JURISDICTION_UNKNOWN"}
}
