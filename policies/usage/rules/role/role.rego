# METADATA
# title: Roles
# description: >-
#   Some actions want one of the named roles in the caller's token, and some kinds of organisation
#   may use only some classes of action.
# scope: package
package usage.rules.role

import data.usage.actor

answered if is_object(data.law.roles)

deny contains {
	"code": "ROLE_REQUIRED",
	"law": concat("", ["roles/", input.action]),
	"message": concat("", ["This action wants one of these roles in the token: ", names, "."]),
} if {
	wanted := data.law.roles[input.action]
	not held(wanted)
}

deny contains {
	"code": "KIND_NOT_ENTITLED",
	"law": concat("", ["kinds/", input.tenant.kind]),
	"message": concat("", [actor.called, " may not use this action."]),
} if {
	entitled := data.law.kinds[input.tenant.kind].classes
	not covers(entitled)
}

default names := "those that the law names"

names := concat(", ", data.law.roles[input.action])

held(wanted) if {
	some role in input.principal.roles
	role in wanted
}

covers(entitled) if {
	some class in actor.classes
	class in entitled
}
