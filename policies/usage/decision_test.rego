package usage.decision_test

import data.usage
import data.usage.examples

test_allows_what_nothing_denies if {
	answer := usage.decision with input as examples.search
	answer.allow
	count(answer.reasons) == 0
	answer.answered == data.law.required_rules
	{o.kind | some o in answer.obligations} == {"max_results", "min_similarity"}
}

test_denies_what_a_rule_denies if {
	answer := usage.decision with input as examples.by(examples.police, "criminal_investigation")
	not answer.allow
	{r.code | some r in answer.reasons} == {"MORATORIUM"}
	count(answer.obligations) == 0
	count(answer.advice) == 1
}

test_names_the_exemption_that_lifted if {
	answer := usage.decision with input as examples.by(examples.searchers, "victim_identification")
	answer.allow
	answer.exemptions == {"exemptions/find-the-lost"}
}

test_every_reason_has_every_field if {
	denied := usage.decision with input as examples.by(examples.police, "criminal_investigation")
	malformed := usage.decision with input as {}
	every reason in denied.reasons | malformed.reasons {
		object.keys(reason) == {"code", "law", "message", "since", "until", "lifted_by"}
	}
}

test_malformed_facts_are_answered_by_their_violations_alone if {
	answer := usage.decision with input as object.remove(examples.search, ["purpose"])
	not answer.allow
	{r.code | some r in answer.reasons} == {"FACTS_MALFORMED"}
	answer.answered == []
}

test_denies_without_facts if {
	answer := usage.decision
	not answer.allow
}

test_denies_when_a_required_rule_does_not_answer if {
	answer := usage.decision with input as examples.search with data.law.required_rules as ["limits", "nowhere"]
	not answer.allow
	{r.law | some r in answer.reasons} == {"required_rules/nowhere"}
	answer.answered == ["limits"]
}

test_denies_when_no_rule_is_required if {
	some list in [[], {}, "limits", null]
	answer := usage.decision with input as examples.search with data.law.required_rules as list
	not answer.allow
	"LAW_INCOMPLETE" in {r.code | some r in answer.reasons}
}

test_a_rule_without_its_law_denies if {
	every topic in ["limits", "moratoria", "provenance", "purposes", "redaction", "regimes", "review", "roles", "thresholds"] {
		law := object.remove(data.law, [topic])
		answer := usage.decision with input as examples.search with data.law as law
		not answer.allow
	}
}
