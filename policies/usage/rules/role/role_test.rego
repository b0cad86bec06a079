package usage.rules.role_test

import data.usage.examples
import data.usage.rules.role

operator := {"id": "beholden-ops", "kind": "operator", "name": "Operators", "jurisdiction": "US"}

denials(facts) := found if {
	found := role.deny with input as facts
		with data.law.roles as {"ledger.verify": ["auditor", "operator"]}
		with data.law.kinds as {"newsroom": {"title": "Newsrooms"}, "operator": {"title": "Operators", "classes": ["governance"]}}
}

holding(roles) := object.union(examples.acting("ledger.verify"), {"principal": {"id": "ann", "roles": roles}})

test_a_named_role_is_wanted if {
	every roles in [[], ["reader"], ["Auditor"], ["auditor "], [1], [["auditor"]]] {
		{d.code | some d in denials(holding(roles))} == {"ROLE_REQUIRED"}
	}
	{d.message | some d in denials(holding([]))} == {"This action wants one of these roles in the token: auditor, operator."}
}

test_a_held_role_passes if {
	denials(holding(["auditor"])) == set()
	denials(holding(["reader", "operator"])) == set()
}

test_other_actions_want_no_role if {
	denials(examples.search) == set()
	denials(examples.acting("policy.explain")) == set()
}

test_a_kind_may_be_held_to_its_classes if {
	facts := object.union(examples.search, {"tenant": operator})
	{d.code | some d in denials(facts)} == {"KIND_NOT_ENTITLED"}
	denials(object.union(facts, {"action": "ledger.list"})) == set()
}

test_malformed_law_denies if {
	every roles in [[], {}, "auditor", null, [1], [["auditor"]]] {
		denied := role.deny with input as holding(["auditor"]) with data.law.roles as {"ledger.verify": roles}
		{d.code | some d in denied} == {"ROLE_REQUIRED"}
	}
	entitled := role.deny with input as examples.search with data.law.kinds as {"newsroom": {"classes": "face_search"}}
	{d.code | some d in entitled} == {"KIND_NOT_ENTITLED"}
}

test_answers_only_with_its_law if {
	role.answered
	not role.answered with data.law.roles as []
	not role.answered with data.law as {}
}
