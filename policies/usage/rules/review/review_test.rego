package usage.rules.review_test

import data.usage.examples
import data.usage.rules.review

law := {
	"classes": ["face_comparison"],
	"kinds": ["police_department"],
	"purposes": ["missing_persons"],
	"advice": "look twice",
	"required": {
		"police": {"kinds": ["police_department"], "purposes": [], "reviewers": 2},
		"missing": {"kinds": [], "purposes": ["missing_persons"], "reviewers": 1},
		"both": {"kinds": ["newsroom"], "purposes": ["editorial_research"], "reviewers": 3},
	},
}

advice(facts) := found if {
	found := review.advice with input as facts with data.law.review as law
}

test_advises_by_kind_and_by_purpose if {
	advice(examples.by(examples.police, "")) == {"look twice"}
	advice(examples.by(examples.newsroom, "missing_persons")) == {"look twice"}
	advice(examples.by(examples.newsroom, "")) == set()
}

test_advises_on_its_classes_only if {
	advice(object.union(examples.by(examples.police, ""), {"action": "content.moderate"})) == set()
}

required(facts) := {one.law: one.value | some one in found} if {
	found := review.obligations with input as facts with data.law.review as law
}

test_requires_by_kind_and_by_purpose if {
	required(examples.by(examples.police, "")) == {"review/police": 2}
	required(examples.by(examples.police, "missing_persons")) == {"review/police": 2, "review/missing": 1}
	required(examples.by(examples.newsroom, "missing_persons")) == {"review/missing": 1}
	required(examples.by(examples.newsroom, "editorial_research")) == {"review/both": 3}
	required(examples.by(examples.newsroom, "")) == {}
}

test_requires_for_its_classes_only if {
	required(object.union(examples.by(examples.police, ""), {"action": "content.moderate"})) == {}
}

test_answers_only_with_its_law if {
	review.answered with data.law.review as law
	every key in ["classes", "kinds", "purposes", "required"] {
		not answered(object.remove(law, [key]))
	}
	every key in ["kinds", "purposes", "reviewers"] {
		not answered(object.union(
			object.remove(law, ["required"]),
			{"required": {"police": object.remove(law.required.police, [key])}},
		))
	}
}

answered(entry) if review.answered with data.law.review as entry
