# METADATA
# title: Human review
# description: Advises that a person reviews candidates before anyone acts on them.
# scope: package
package usage.rules.review

import data.usage.actor

law := data.law.review

answered if {
	is_array(law.classes)
	is_array(law.kinds)
	is_array(law.purposes)
}

advice contains law.advice if {
	some class in actor.classes
	class in law.classes
	called_for
}

called_for if input.purpose in law.purposes

called_for if {
	some kind in actor.kinds
	kind in law.kinds
}
