# METADATA
# title: Who acts, where
# description: >-
#   The classes of the call's action, the kinds of organisation that it is made by or for, and the
#   places that it touches.
# scope: package
package usage.actor

classes := data.law.actions[input.action].classes

kinds contains input.tenant.kind

# An organisation may be registered as one that serves others: its calls are theirs too.
kinds contains kind if some kind in input.tenant.serves

# `on_behalf_of` names a registered tenant, whose record is then the fact `client`, or a kind.
kinds contains input.client.kind

kinds contains input.on_behalf_of if data.law.kinds[input.on_behalf_of]

# In words, for messages.
default called := "This organisation"

called := data.law.kinds[input.tenant.kind].title if is_string(data.law.kinds[input.tenant.kind].title)

# What a caller declares adds a place and never takes one away.
codes contains input.tenant.jurisdiction

codes contains input.client.jurisdiction

codes contains input.jurisdiction if input.jurisdiction != ""

# A place lies in its country ("US-WA" in "US"), and a country in its unions ("IT" in "EU").
places contains code if some code in codes

places contains country(code) if some code in codes

places contains union if {
	some code in codes
	some union in data.law.jurisdictions[country(code)]
}

country(code) := split(code, "-")[0]
