package usage.rules.duties_test

import data.usage.examples
import data.usage.rules.duties

entry := {
	"says": "Somebody looks, and it is deleted",
	"classes": ["face_search"],
	"since": "2020-01-01",
	"until": "",
	"asks": {"review": 2, "delete_by": 24},
}

asked(entries, facts) := found if {
	found := duties.obligations with input as facts
		with data.law.duties as entries
		with data.law.regimes.adopted as []
}

test_asks_it_of_what_it_binds if {
	asked({"mine": entry}, examples.search) == {
		{"kind": "review", "value": 2, "law": "duties/mine"},
		{"kind": "delete_by", "value": 24, "law": "duties/mine"},
	}
	asked({"mine": entry}, examples.acting("content.moderate")) == set()
	asked({}, examples.search) == set()
}

test_outputs_may_last_as_long_as_the_authorisation if {
	lasting := {"mine": object.union(object.remove(entry, ["asks"]), {"asks": {"delete_by": "authorisation"}})}
	shown := object.union(examples.search, {"evidence": {"authorisation": examples.order}})
	{one.value | some one in asked(lasting, shown)} == {"2026-12-20T00:00:00Z"}
	{one.value | some one in asked(lasting, examples.search)} == {"authorisation"}
}

test_a_kind_that_is_not_known_is_for_the_server_to_refuse if {
	unknown := {"mine": object.union(object.remove(entry, ["asks"]), {"asks": {"authorisation": "authorisation"}})}
	{one.kind | some one in asked(unknown, examples.search)} == {"authorisation"}
}

test_an_adopted_regime_asks if {
	regimes := {"regime": {"duties": {"its": entry}}}
	found := duties.obligations with input as examples.search
		with data.law.duties as {}
		with data.law.regimes.adopted as ["regime"]
		with data.regimes as regimes
	{one.law | some one in found} == {"regime/its"}
}

test_answers_only_with_its_law if {
	answered({"mine": entry})
	answered({})
	not answered([])
	not answered({"mine": object.remove(entry, ["asks"])})
	every malformed in [{}, [], null, "review", 1] {
		not answered({"mine": object.union(object.remove(entry, ["asks"]), {"asks": malformed})})
	}
	not duties.answered with data.law.regimes.adopted as null
}

answered(entries) if {
	duties.answered with data.law.duties as entries with data.law.regimes.adopted as []
}
