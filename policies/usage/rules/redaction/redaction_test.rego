package usage.rules.redaction_test

import data.usage.examples
import data.usage.rules.redaction

law := {"kinds": {"police_department": ["face.template"]}, "purposes": {"content_safety": ["faces"]}}

withheld(facts) := found if {
	found := {o.value | some o in redaction.obligations} with input as facts with data.law.redaction as law
}

test_withholds_by_kind_and_by_purpose if {
	withheld(examples.by(examples.police, "")) == {{"face.template"}}
	withheld(examples.by(examples.newsroom, "content_safety")) == {{"faces"}}
	withheld(examples.by(examples.police, "content_safety")) == {{"face.template", "faces"}}
	withheld(examples.by(examples.newsroom, "")) == set()
}

test_answers_only_with_its_law if {
	redaction.answered with data.law.redaction as law
	not redaction.answered with data.law.redaction as {"kinds": {}}
	not redaction.answered with data.law.redaction as {"purposes": {}}
	every value in ["face.template", null, 1, {}] {
		not answered({"kinds": {"newsroom": value}, "purposes": {}})
		not answered({"kinds": {}, "purposes": {"editorial_research": value}})
	}
}

answered(entry) if {
	redaction.answered with data.law.redaction as entry
		with input as examples.by(examples.newsroom, "editorial_research")
}
