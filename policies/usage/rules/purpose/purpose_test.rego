package usage.rules.purpose_test

import data.usage.examples
import data.usage.rules.purpose

law := {
	"known": {
		"criminal_investigation": {"title": "criminal investigation", "kinds": ["police_department"]},
		"editorial_research": {"title": "editorial research", "kinds": ["newsroom"]},
	},
	"required": {"kinds": ["police_department"], "classes": ["face_comparison"]},
}

codes(facts) := found if {
	found := {d.code | some d in purpose.deny} with input as facts with data.law.purposes as law
}

test_a_known_and_permitted_purpose_passes if {
	codes(examples.by(examples.newsroom, "editorial_research")) == set()
	codes(examples.by(examples.police, "criminal_investigation")) == set()
}

test_an_unknown_purpose_denies if {
	every spelling in ["Editorial_Research", " editorial_research", "editorial_research\n", "editorial\u200b_research", "\u0435ditorial_research", "known", "*"] {
		codes(examples.by(examples.newsroom, spelling)) == {"PURPOSE_UNKNOWN"}
	}
}

test_a_purpose_of_another_kind_denies if {
	codes(examples.by(examples.police, "editorial_research")) == {"PURPOSE_NOT_PERMITTED"}
	codes(examples.by(examples.newsroom, "criminal_investigation")) == {"PURPOSE_NOT_PERMITTED"}
}

test_the_purposes_of_those_it_acts_for_pass if {
	for_police := object.union(examples.by(examples.newsroom, "criminal_investigation"), {"on_behalf_of": "police_department"})
	codes(for_police) == set()
}

test_says_who_may_not_declare_what if {
	denied := purpose.deny with input as examples.by(examples.police, "editorial_research")
	{d.message | some d in denied} == {"Police departments may not declare the purpose of editorial research."}
}

test_the_purpose_must_be_declared_where_the_law_says_so if {
	codes(examples.by(examples.police, "")) == {"PURPOSE_REQUIRED"}
	codes(examples.by(examples.newsroom, "")) == set()
	codes(object.union(examples.by(examples.police, ""), {"action": "content.moderate"})) == set()
}

test_a_purpose_that_cannot_be_worded_denies if {
	denied := purpose.deny with input as examples.by(examples.police, "editorial_research")
		with data.law.purposes as {"known": {"editorial_research": {"kinds": ["newsroom"]}}}
		with data.law.kinds as {}
	{d.code | some d in denied} == {"PURPOSE_NOT_PERMITTED"}
}

test_answers_only_with_its_law if {
	purpose.answered with data.law.purposes as law
	every path in ["known", "required", "required/kinds", "required/classes"] {
		not answered(json.remove(law, [path]))
	}
}

answered(purposes) if purpose.answered with data.law.purposes as purposes
