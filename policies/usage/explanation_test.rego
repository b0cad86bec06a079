package usage.explanation_test

import data.usage
import data.usage.examples

ban := {"says": "Police may not", "kinds": ["police_department"], "since": "2020-01-01", "until": ""}

lift := {
	"says": "a court's order",
	"lifts": ["moratoria/ban"],
	"tenants": ["metro-police"],
	"purposes": ["missing_persons"],
	"requires": ["case"],
	"since": "2020-01-01",
	"until": "2027-01-01",
}

explained(entry, facts) := found if {
	found := usage.explanation with input as facts
		with data.law.moratoria as {"ban": ban}
		with data.law.exemptions as {"order": entry}
		with data.law.regimes.adopted as []
}

test_a_restriction_that_matches_is_told_with_what_would_lift_it if {
	explained(lift, examples.by(examples.police, "criminal_investigation")) == {
		"restrictions": {{
			"law": "moratoria/ban",
			"message": "Police may not, since 2020-01-01, until further notice. Lifted for: a court's order.",
			"lifted_by": set(),
		}},
		"exemptions": {{
			"law": "exemptions/order",
			"message": "a court's order",
			"lifts": {"moratoria/ban"},
			"lacks": {"declare one of these purposes: missing_persons", "declare or show: case"},
		}},
	}
}

test_a_restriction_that_is_lifted_says_by_what if {
	facts := object.union(examples.by(examples.police, "missing_persons"), {"case": "4711"})
	found := explained(lift, facts)
	{r.lifted_by | some r in found.restrictions} == {{"exemptions/order"}}
	{e.lacks | some e in found.exemptions} == {set()}
}

test_everything_that_is_wanting_is_told if {
	facts := examples.by(examples.police, "missing_persons")
	other := object.union(lift, {
		"tenants": ["find-the-lost"],
		"requires": [],
		"offences": ["kidnapping"],
		"since": "2026-12-01",
		"until": "2026-01-01",
	})
	found := explained(other, facts)
	{l | some e in found.exemptions; some l in e.lacks} == {
		"it is another organisation's",
		"show an authorisation for one of its offences",
		"it begins only on 2026-12-01",
		"it ended on 2026-01-01",
	}
}

test_what_does_not_match_is_not_told if {
	explained(lift, examples.by(examples.newsroom, "")) == {"restrictions": set(), "exemptions": set()}
}

test_unsound_facts_are_not_explained if {
	usage.explanation == {"restrictions": set(), "exemptions": set()} with input as {}
}

test_the_exemptions_of_adopted_regimes_are_told if {
	found := usage.explanation with input as examples.by(examples.police, "criminal_investigation")
		with data.law.moratoria as {}
		with data.law.exemptions as {}
		with data.law.regimes.adopted as ["mine"]
		with data.regimes as {"mine": {
			"restrictions": {"ban": ban},
			"exemptions": {"order": object.union(lift, {"lifts": ["mine/ban"]})},
		}}
	{e.law | some e in found.exemptions} == {"mine/order"}
}
