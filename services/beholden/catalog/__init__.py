"""The model catalogue: which models there are, where their weights come from, and a repository made of them.

entries     what models/catalog.yaml says            load_catalog(path) -> Catalog
pull        fetch, check, convert, lay out           pull(catalog, names, repository, ...) -> reports
repository  what lies in a repository, checked       verify(...), available(...), remedy(...)
sources/    a mirror folder, PyPI, npm, https        one file each, tried in the catalogue's order
convert/    upstream formats to ONNX                 one file each, imported only by a pull
"""
