# METADATA
# title: Redaction
# description: >-
#   Which classes of response fields (the protos' `redact` annotation) are withheld, by the caller's
#   kinds of organisation and by purpose.
# scope: package
package usage.rules.redaction

import data.usage.actor

law := data.law.redaction

answered if {
	is_array(law.classes)
	is_object(law.kinds)
	is_object(law.purposes)
	every list in asked {
		is_array(list)
	}
}

asked contains law.kinds[kind] if some kind in actor.kinds

asked contains law.purposes[input.purpose]

obligations contains {"kind": "redact", "value": withheld, "law": "redaction"} if {
	concerned
	count(withheld) > 0
}

concerned if {
	some class in actor.classes
	class in law.classes
}

withheld contains class if {
	some list in asked
	some class in list
}
