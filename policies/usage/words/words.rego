# METADATA
# title: Words
# description: Text from the law for messages, whatever the law has there.
# scope: package
package usage.words

# METADATA
# title: The value where it is text, else what is said instead
said(value, _) := value if is_string(value)

said(value, otherwise) := otherwise if not is_string(value)
