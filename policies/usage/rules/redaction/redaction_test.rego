package usage.rules.redaction_test

import data.usage.examples
import data.usage.rules.redaction

law := {"classes": ["face_embedding"], "kinds": {"police_department": ["face.template"]}, "purposes": {"content_safety": ["faces"]}}

withheld(facts) := found if {
	embedding := object.union(facts, {"action": "face.embed"})
	found := {o.value | some o in redaction.obligations} with input as embedding with data.law.redaction as law
}

test_withholds_by_kind_and_by_purpose if {
	withheld(examples.by(examples.police, "")) == {{"face.template"}}
	withheld(examples.by(examples.newsroom, "content_safety")) == {{"faces"}}
	withheld(examples.by(examples.police, "content_safety")) == {{"face.template", "faces"}}
	withheld(examples.by(examples.newsroom, "")) == set()
}

test_binds_its_classes_only if {
	obligations := redaction.obligations with input as examples.by(examples.police, "") with data.law.redaction as law
	count(obligations) == 0
}

test_answers_only_with_its_law if {
	redaction.answered with data.law.redaction as law
	every key in ["classes", "kinds", "purposes"] {
		not answered(object.remove(law, [key]))
	}
	every value in ["face.template", null, 1, {}] {
		not answered({"classes": [], "kinds": {"newsroom": value}, "purposes": {}})
		not answered({"classes": [], "kinds": {}, "purposes": {"editorial_research": value}})
	}
}

answered(entry) if {
	redaction.answered with data.law.redaction as entry
		with input as examples.by(examples.newsroom, "editorial_research")
}
