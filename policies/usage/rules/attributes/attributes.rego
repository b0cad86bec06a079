# METADATA
# title: Attributes
# description: >-
#   What a face may be asked beyond where it is. Age, gender and emotion are told to nobody but the
#   kinds of organisation that the law names, for the purposes that it names (Microsoft retired all
#   three on 30 June 2023; the EU's AI Act, Article 5(1)(f) and (g), bans inferring emotions at work
#   and in education, and sensitive categorisation). What is asked by name and not allowed is
#   refused; "all" leaves it out.
# scope: package
package usage.rules.attributes

import data.usage.actor
import data.usage.words

law := data.law.redaction.attributes

answered if {
	is_object(law)
	not asks
}

answered if {
	is_array(input.request.attributes)
	every entry in law {
		is_string(entry.withholds)
		is_boolean(entry.open)
		is_object(entry.purposes)
	}
}

asks if "attributes" in object.keys(input.request)

everything if "FACE_ATTRIBUTE_ALL" in input.request.attributes

deny contains {
	"code": "ATTRIBUTE_NOT_ALLOWED",
	"law": concat("", ["redaction/attributes/", name]),
	"message": concat("", [
		actor.called,
		" may not be told ",
		words.said(law[name].title, name),
		purpose_words,
		".",
	]),
} if {
	some name in input.request.attributes
	name in object.keys(law)
	not allowed(name)
}

# Without an entry nobody knows what the law wants of it. What is not said asks for nothing, and is
# refused as bad input.
deny contains {
	"code": "ATTRIBUTE_NOT_ALLOWED",
	"law": "redaction/attributes",
	"message": concat("", ["The law does not know the attribute ", words.said(name, "?"), "."]),
} if {
	some name in input.request.attributes
	not name in {"FACE_ATTRIBUTE_ALL", "FACE_ATTRIBUTE_UNSPECIFIED"}
	not name in object.keys(law)
}

obligations contains {"kind": "redact", "value": withheld, "law": "redaction/attributes"} if {
	everything
	count(withheld) > 0
}

withheld contains entry.withholds if {
	some name, entry in law
	not allowed(name)
}

allowed(name) if law[name].open

# The default lies here, where both engines make the same of a purpose that is not said.
allowed(name) if {
	some kind in law[name].purposes[input.purpose]
	kind in actor.kinds
}

purpose_words := " without a purpose that allows it" if input.purpose == ""

purpose_words := " for this purpose" if input.purpose != ""
