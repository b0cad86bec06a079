package usage.rules.realtime_test

import data.usage.examples
import data.usage.rules.realtime

ban := {
	"says": "Live search may not be",
	"classes": ["face_search"],
	"realtime": true,
	"public_space": true,
	"since": "2020-01-01",
	"until": "",
}

codes(facts) := found if {
	denied := realtime.deny with input as facts
		with data.law.moratoria as {"ban": ban}
		with data.law.regimes.adopted as []
	found := {d.code | some d in denied}
}

said(realtime, public_space) := object.union(examples.search, {"realtime": realtime, "public_space": public_space})

test_what_a_restriction_turns_on_must_be_said if {
	codes(examples.search) == {"REALTIME_UNDECLARED", "PUBLIC_SPACE_UNDECLARED"}
	codes(said("", "yes")) == {"REALTIME_UNDECLARED"}
	codes(said("yes", "")) == {"PUBLIC_SPACE_UNDECLARED"}
	codes(said("yes", "yes")) == set()
}

test_what_leads_out_of_one_condition_needs_no_other if {
	codes(said("no", "")) == set()
	codes(said("", "no")) == set()
}

test_nobody_else_need_say_it if {
	codes(examples.acting("content.moderate")) == set()
	none := realtime.deny with input as examples.search
		with data.law.moratoria as {}
		with data.law.regimes.adopted as []
	none == set()
}

test_answers_only_with_its_law if {
	realtime.answered
	not realtime.answered with data.law.regimes.adopted as "eu-ai-act"
	not realtime.answered with data.law as {}
}
