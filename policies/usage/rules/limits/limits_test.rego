package usage.rules.limits_test

import data.usage.examples
import data.usage.rules.limits

law := {
	"classes": ["face_search"],
	"max_results": {
		"default": 1000,
		"kinds": {"police_department": 20, "newsroom": 5000},
		"purposes": {"missing_persons": 100},
	},
}

values(facts) := found if {
	found := {o.value | some o in limits.obligations} with input as facts with data.law.limits as law
}

test_the_default_binds_everyone if {
	values(object.union(examples.search, {"tenant": {"kind": "platform"}})) == {1000}
}

test_a_kind_can_only_be_stricter if {
	values(examples.by(examples.police, "")) == {20}
	values(examples.by(examples.newsroom, "")) == {1000}
	values(examples.by(examples.searchers, "")) == {20}
}

test_a_purpose_has_its_own if {
	values(examples.by(examples.police, "missing_persons")) == {100}
	values(examples.by(examples.police, "Missing_persons")) == {20}
}

test_binds_its_classes_only if {
	values(examples.acting("content.moderate")) == set()
}

test_answers_only_with_sound_law if {
	answers(law, examples.search)
	not answers({}, examples.search)
	not answers(object.remove(law, ["classes"]), examples.search)
	not answers(object.remove(law, ["classes"]), examples.acting("content.moderate"))
	not answers(object.remove(law, ["max_results"]), examples.search)
	answers(object.remove(law, ["max_results"]), examples.acting("content.moderate"))
}

test_does_not_answer_with_an_odd_value if {
	every value in ["20", 0, -1, null, [20]] {
		not answers({"classes": ["face_search"], "max_results": {"default": value}}, examples.search)
	}
}

test_does_not_answer_with_an_odd_value_for_the_purpose if {
	every value in ["20", 0, -1, null, [20]] {
		odd := {"classes": ["face_search"], "max_results": {"default": 1000, "purposes": {"editorial_research": value}}}
		not answers(odd, examples.by(examples.newsroom, "editorial_research"))
	}
}

answers(entry, facts) if limits.answered with input as facts with data.law.limits as entry
