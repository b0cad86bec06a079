package usage.rules.provenance_test

import data.usage.examples
import data.usage.rules.provenance

codes(request) := found if {
	facts := object.union(object.remove(examples.search, ["request"]), {"action": "face.index", "request": request})
	found := {d.code | some d in provenance.deny} with input as facts
		with data.law.provenance as {"classes": ["enrolment"]}
}

test_a_source_with_a_basis_or_a_consent_passes if {
	codes({"provenance": {"source": "passport office", "legal_basis": "passport act"}}) == set()
	codes({"provenance": {"source": "sign-up", "consent_id": "c-1"}}) == set()
}

test_a_missing_source_denies if {
	every source in ["", null, 1, ["passport office"]] {
		codes({"provenance": {"source": source, "consent_id": "c-1"}}) == {"PROVENANCE_SOURCE_MISSING"}
	}
}

test_a_missing_basis_denies if {
	codes({"provenance": {"source": "web"}}) == {"PROVENANCE_BASIS_MISSING"}
	codes({"provenance": {"source": "web", "legal_basis": "", "consent_id": ""}}) == {"PROVENANCE_BASIS_MISSING"}
	codes({"provenance": {"source": "web", "legal_basis": true}}) == {"PROVENANCE_BASIS_MISSING"}
}

shown(consent) := found if {
	facts := object.union(examples.acting("face.index"), {
		"evidence": {"consent": object.union(consent, {"actions": ["face.index"], "purposes": ["*"], "collections": ["*"]})},
		"request": {"provenance": {"source": "sign-up"}},
	})
	found := {d.code | some d in provenance.deny} with input as facts
		with data.law.provenance as {"classes": ["enrolment"]}
		with data.law.issuers as {"court": {"issues": ["consent"]}}
		with data.law.revocations as {"court": ["revoked"]}
}

test_a_signed_consent_is_a_consent if {
	shown(examples.order) == set()
	shown(object.union(examples.order, {"id": "revoked"})) == {"PROVENANCE_BASIS_MISSING"}
	shown(object.union(examples.order, {"issuer": "nobody"})) == {"PROVENANCE_BASIS_MISSING"}
}

test_without_provenance_nothing_is_enrolled if {
	both := {"PROVENANCE_SOURCE_MISSING", "PROVENANCE_BASIS_MISSING"}
	codes({}) == both
	codes({"provenance": null}) == both
	codes({"provenance": "passport office"}) == both
}

test_binds_enrolment_only if {
	denied := provenance.deny with input as examples.search with data.law.provenance as {"classes": ["enrolment"]}
	count(denied) == 0
}

test_answers_only_with_its_law if {
	provenance.answered with data.law.provenance as {"classes": ["enrolment"]}
	not provenance.answered with data.law.provenance as {}
	not provenance.answered with data.law.provenance as {"classes": "enrolment"}
}
