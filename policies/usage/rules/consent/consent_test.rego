package usage.rules.consent_test

import data.usage.examples
import data.usage.rules.consent

entry := {"says": "Nobody is enrolled without a consent", "classes": ["enrolment"], "since": "2020-01-01", "until": ""}

denials(entries, facts) := found if {
	found := consent.deny with input as facts
		with data.law.consent as entries
		with data.law.regimes.adopted as []
		with data.law.issuers as {"court": {"issues": ["consent"]}}
		with data.law.revocations as {}
}

showing(evidence) := object.union(examples.acting("face.index"), {
	"purpose": "criminal_investigation",
	"evidence": evidence,
})

form := object.union(examples.order, {"actions": ["face.index"]})

test_wants_a_consent if {
	denials({"forms": entry}, showing({})) == {{
		"code": "CONSENT_REQUIRED",
		"law": "consent/forms",
		"message": "Nobody is enrolled without a consent: show it with beholden-consent.",
		"since": "2020-01-01",
		"until": "",
	}}
	denials({"forms": entry}, showing({"consent": form})) == set()
}

test_a_consent_to_something_else_is_none if {
	count(denials({"forms": entry}, showing({"consent": examples.order}))) == 1
	count(denials({"forms": entry}, showing({"authorisation": form}))) == 1
}

test_wants_it_of_what_it_binds_only if {
	denials({"forms": entry}, examples.search) == set()
	denials({}, showing({})) == set()
}

test_an_entry_that_cannot_be_worded_is_in_force if {
	every malformed in [{}, {"says": 1, "since": null, "until": []}] {
		denied := denials({"forms": malformed}, showing({}))
		{d.message | some d in denied} == {"This call wants the consent of the person: show it with beholden-consent."}
	}
}

test_an_adopted_regime_may_want_it if {
	denied := consent.deny with input as showing({})
		with data.law.consent as {}
		with data.law.regimes.adopted as ["regime"]
		with data.regimes as {"regime": {"consent": {"forms": entry}}}
	{d.law | some d in denied} == {"regime/forms"}
}

test_answers_only_with_its_law if {
	consent.answered
	not consent.answered with data.law.regimes.adopted as null
	not consent.answered with data.law.consent as []
	not consent.answered with data.law as {}
}
