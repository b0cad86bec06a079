package usage.rules.moratorium_test

import data.usage.examples
import data.usage.rules.moratorium

ban := {
	"says": "Police may not",
	"classes": ["face_comparison"],
	"kinds": ["police_department"],
	"purposes": ["criminal_investigation"],
	"jurisdictions": ["US"],
	"since": "2020-06-10",
	"until": "",
}

facts := examples.by(examples.police, "criminal_investigation")

denials(restriction, call) := denied if {
	denied := moratorium.deny with input as call
		with data.law.moratoria as {"ban": restriction}
		with data.law.regimes.adopted as []
		with data.law.exemptions as {}
		with data.law.events as {"law": {"title": "a law is made", "date": ""}}
}

denies(restriction, call) if count(denials(restriction, call)) == 1

but(key, value) := object.union(ban, {key: value})

test_denies_and_says_why if {
	denials(ban, facts) == {{
		"code": "MORATORIUM",
		"law": "moratoria/ban",
		"message": "Police may not, since 2020-06-10, until further notice.",
		"since": "2020-06-10",
		"until": "",
		"lifted_by": "",
	}}
}

test_says_until_when if {
	dated := denials(but("until", "2030-01-01"), facts)
	{d.message | some d in dated} == {"Police may not, since 2020-06-10, until 2030-01-01."}
	event := denials(but("until_event", "law"), facts)
	{d.message | some d in event} == {"Police may not, since 2020-06-10, until a law is made."}
	both := denials(object.union(but("until", "2030-01-01"), {"until_event": "law"}), facts)
	{d.message | some d in both} == {"Police may not, since 2020-06-10, until 2030-01-01 or until a law is made."}
}

test_binds_what_it_names_only if {
	not denies(ban, object.union(facts, {"action": "face.detect"}))
	not denies(ban, examples.by(examples.newsroom, "editorial_research"))
	not denies(ban, examples.by(examples.police, "missing_persons"))
	not denies(ban, object.union(facts, {"tenant": object.union(examples.police, {"jurisdiction": "FR"})}))
}

test_a_declared_place_does_not_lead_out if {
	denies(ban, object.union(facts, {"jurisdiction": "FR"}))
	denies(ban, object.union(facts, {"tenant": object.union(examples.police, {"jurisdiction": "FR"}), "jurisdiction": "US-WA"}))
}

test_binds_those_who_act_for_them if {
	denies(ban, object.union(facts, {"tenant": examples.newsroom, "on_behalf_of": "police_department"}))
	denies(ban, object.union(facts, {"tenant": examples.newsroom, "on_behalf_of": "metro-police", "client": examples.police}))
	denies(ban, object.union(facts, {"tenant": examples.searchers}))
}

test_an_undeclared_or_unknown_purpose_may_be_any if {
	denies(ban, examples.by(examples.police, ""))
	denies(ban, examples.by(examples.police, "Missing_Persons"))
}

test_is_in_force_between_its_dates if {
	early := object.union(facts, {"time": {"now": "2020-06-09T23:59:59Z"}})
	first := object.union(facts, {"time": {"now": "2020-06-10T00:00:00Z"}})
	not denies(ban, early)
	denies(ban, first)
	denies(but("until", "2020-06-11"), first)
	not denies(but("until", "2020-06-10T00:00:00Z"), first)
}

test_an_event_ends_it if {
	ended := moratorium.deny with input as facts
		with data.law.moratoria as {"ban": but("until_event", "law")}
		with data.law.regimes.adopted as []
		with data.law.events as {"law": {"title": "a law is made", "date": "2026-11-22"}}
	count(ended) == 0
}

test_what_is_missing_restricts_more if {
	every key in object.keys(ban) {
		denies(object.remove(ban, [key]), facts)
	}
	denies({}, examples.acting("content.moderate"))
}

test_what_is_malformed_restricts_more if {
	every key in object.keys(ban) - {"says"} {
		every value in ["", "soon", 1, null, {}, "2021/05/18"] {
			denies(but(key, value), facts)
		}
	}
}

test_a_restriction_that_cannot_be_worded_is_in_force if {
	denied := denials(object.remove(ban, ["says", "since", "until"]), facts)
	{d.message | some d in denied} == {"This call is restricted."}
}

test_is_lifted_by_an_exemption if {
	exemption := {
		"says": "searchers",
		"lifts": ["moratoria/ban"],
		"tenants": ["metro-police"],
		"purposes": ["criminal_investigation"],
		"requires": [],
		"since": "2020-06-10",
		"until": "2027-01-01",
	}
	lifted := moratorium.deny with input as facts
		with data.law.moratoria as {"ban": ban}
		with data.law.regimes.adopted as []
		with data.law.exemptions as {"it": exemption}
	count(lifted) == 0
	used := moratorium.exemptions with input as facts
		with data.law.moratoria as {"ban": ban}
		with data.law.regimes.adopted as []
		with data.law.exemptions as {"it": exemption}
	used == {"exemptions/it"}
	denied := moratorium.deny with input as facts
		with data.law.moratoria as {"ban": ban}
		with data.law.regimes.adopted as []
		with data.law.exemptions as {"it": object.union(exemption, {"until": "2021-01-01"})}
	{d.message | some d in denied} == {"Police may not, since 2020-06-10, until further notice. Lifted for: searchers."}
	{d.lifted_by | some d in denied} == {"searchers"}
}

test_an_adopted_regime_is_in_force if {
	regimes := {"regime": {"restrictions": {"ban": ban}, "exemptions": {}}}
	denied := moratorium.deny with input as facts
		with data.law.moratoria as {}
		with data.law.regimes.adopted as ["regime"]
		with data.regimes as regimes
	{d.law | some d in denied} == {"regime/ban"}
	ignored := moratorium.deny with input as facts
		with data.law.moratoria as {}
		with data.law.regimes.adopted as []
		with data.regimes as regimes
	count(ignored) == 0
}

test_an_adopted_regime_that_is_not_there_denies if {
	denied := moratorium.deny with input as facts with data.law.moratoria as {} with data.law.regimes.adopted as ["nowhere"]
	{d.code | some d in denied} == {"REGIME_MISSING"}
}

test_answers_only_with_its_law if {
	moratorium.answered
	not moratorium.answered with data.law.regimes.adopted as "amazon-2021"
	not moratorium.answered with data.law.moratoria as []
	not moratorium.answered with data.law as {}
}
