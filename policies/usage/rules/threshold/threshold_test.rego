package usage.rules.threshold_test

import data.usage.examples
import data.usage.rules.threshold

law := {
	"classes": ["face_comparison"],
	"min_similarity": {
		"default": 0.8,
		"kinds": {"police_department": 0.99, "newsroom": 0.5},
		"purposes": {"missing_persons": 0.85},
	},
}

values(facts) := found if {
	found := {o.value | some o in threshold.obligations} with input as facts with data.law.thresholds as law
}

test_the_default_binds_everyone if {
	values(object.union(examples.search, {"tenant": {"kind": "platform"}})) == {0.8}
}

test_a_kind_can_only_be_stricter if {
	values(examples.by(examples.police, "")) == {0.99}
	values(examples.by(examples.newsroom, "")) == {0.8}
	values(examples.by(examples.searchers, "")) == {0.99}
}

test_a_purpose_has_its_own if {
	values(examples.by(examples.police, "missing_persons")) == {0.85}
	values(examples.by(examples.police, "Missing_persons")) == {0.99}
}

test_binds_its_classes_only if {
	values(examples.acting("content.moderate")) == set()
}

test_answers_only_with_sound_law if {
	answers(law, examples.search)
	not answers({}, examples.search)
	not answers(object.remove(law, ["classes"]), examples.search)
	not answers(object.remove(law, ["classes"]), examples.acting("content.moderate"))
	not answers(object.remove(law, ["min_similarity"]), examples.search)
	answers(object.remove(law, ["min_similarity"]), examples.acting("content.moderate"))
}

test_does_not_answer_with_an_odd_value if {
	every value in ["0.99", -0.1, 1.1, null, [0.8]] {
		not answers({"classes": ["face_comparison"], "min_similarity": {"default": value}}, examples.search)
	}
}

test_does_not_answer_with_an_odd_value_for_the_purpose if {
	every value in ["0.99", -0.1, 1.1, null, [0.8]] {
		odd := {"classes": ["face_comparison"], "min_similarity": {"default": 0.8, "purposes": {"editorial_research": value}}}
		not answers(odd, examples.by(examples.newsroom, "editorial_research"))
	}
}

answers(entry, facts) if threshold.answered with input as facts with data.law.thresholds as entry
