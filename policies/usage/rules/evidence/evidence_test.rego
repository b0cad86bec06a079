package usage.rules.evidence_test

import data.usage.examples
import data.usage.rules.evidence

issuers := {"court": {"title": "The court", "issues": ["authorisation"]}}

denials(shown, call) := found if {
	found := evidence.deny with input as object.union(call, {"evidence": shown})
		with data.law.issuers as issuers
		with data.law.revocations as {"court": ["order-13"]}
}

facts := examples.by(examples.police, "criminal_investigation")

test_evidence_for_this_call_passes if {
	denials({}, facts) == set()
	denials({"authorisation": examples.order}, facts) == set()
}

test_says_what_it_is_not_for if {
	shown := {"authorisation": object.union(examples.order, {"id": "order-13"})}
	denials(shown, examples.by(examples.police, "missing_persons")) == {{
		"code": "EVIDENCE_OUT_OF_SCOPE",
		"law": "evidence/authorisation",
		"message": "What was shown as beholden-authorisation is not for this purpose, revoked.",
	}}
}

test_each_kind_is_looked_at if {
	denied := denials({"authorisation": examples.order, "consent": examples.order}, facts)
	{d.law | some d in denied} == {"evidence/consent"}
}

test_anything_may_be_shown_to_ask_about_the_law if {
	denials({"authorisation": examples.order}, examples.acting("policy.explain")) == set()
}

test_answers_only_with_its_law if {
	evidence.answered with data.law as {"issuers": {}, "revocations": {}}
	not evidence.answered with data.law as {"issuers": {}}
	not evidence.answered with data.law as {"revocations": {}}
	not evidence.answered with data.law as {"issuers": [], "revocations": {}}
}
