package usage.evidence_test

import data.usage.evidence
import data.usage.examples

issuers := {"court": {"title": "The court", "issues": ["authorisation"]}}

covers(shown, call) if {
	evidence.covering == {"authorisation"} with input as object.union(call, {"evidence": {"authorisation": shown}})
		with data.law.issuers as issuers
		with data.law.revocations as {"court": ["order-13"], "other": ["order-12"]}
}

lacks(shown, call) := found if {
	pairs := evidence.lacks with input as object.union(call, {"evidence": {"authorisation": shown}})
		with data.law.issuers as issuers
		with data.law.revocations as {"court": ["order-13"], "other": ["order-12"]}
	found := {pair[1] | some pair in pairs}
}

but(key, value) := object.union(examples.order, {key: value})

facts := examples.by(examples.police, "criminal_investigation")

test_covers_what_it_names if {
	covers(examples.order, facts)
	covers(but("actions", ["*"]), facts)
	covers(but("purposes", ["*"]), facts)
	covers(but("collections", ["*"]), facts)
}

test_covers_nothing_else if {
	lacks(examples.order, object.union(facts, {"action": "face.index"})) == {"not for this action"}
	lacks(examples.order, examples.by(examples.police, "missing_persons")) == {"not for this purpose"}
	lacks(examples.order, examples.by(examples.police, "")) == {"not for this purpose"}
	lacks(examples.order, object.union(facts, {"request": {"collection": "collections/d"}})) == {"not for this collection"}
	lacks(but("case", "4712"), object.union(facts, {"case": "4711"})) == {"not for this case"}
	lacks(but("expires", "2026-11-22T00:35:37Z"), facts) == {"expired"}
	lacks(but("id", "order-13"), facts) == {"revoked"}
	lacks(but("issuer", "nobody"), facts) == {"not from an issuer that the law knows for it"}
}

test_another_revocation_is_none if covers(but("id", "order-12"), facts)

test_the_case_counts_where_the_evidence_names_one if {
	covers(but("case", "4711"), object.union(facts, {"case": "4711"}))
	covers(examples.order, object.union(facts, {"case": "4711"}))
}

test_not_every_action_is_about_a_collection if {
	covers(examples.order, object.union(object.remove(facts, ["request"]), {"request": {}}))
}

test_evidence_is_of_its_own_kind if {
	consent := evidence.covering with input as object.union(facts, {"evidence": {"consent": examples.order}})
		with data.law.issuers as issuers
		with data.law.revocations as {}
	consent == set()
}

test_what_is_missing_or_malformed_covers_nothing if {
	every key in ["id", "issuer", "actions", "purposes", "collections", "case", "expires"] {
		not covers(object.remove(examples.order, [key]), facts)
		every value in [null, 1, {}] {
			not covers(but(key, value), facts)
		}
	}
}

test_no_evidence_covers_nothing if {
	none := evidence.covering with input as facts
	none == set()
}
