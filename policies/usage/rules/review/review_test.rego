package usage.rules.review_test

import data.usage.examples
import data.usage.rules.review

law := {
	"classes": ["face_comparison"],
	"kinds": ["police_department"],
	"purposes": ["missing_persons"],
	"advice": "look twice",
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

test_answers_only_with_its_law if {
	review.answered with data.law.review as law
	every key in ["classes", "kinds", "purposes"] {
		not answered(object.remove(law, [key]))
	}
}

answered(entry) if review.answered with data.law.review as entry
