CREATE TABLE meta (
  -- One row a fact of this file: the registry's name, licence and credit, and the
  -- commit it was made from. A value that is not known has no row.
  key   TEXT PRIMARY KEY, -- name, publisher, license, attribution, notice, base_url, repository, source_commit, generated_at, schema_version, catalog_version
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE entries (
  -- One row an entry, live or not. Prose is in the registry's language, or else in the
  -- first there is; texts has all languages, and json all that is known of the entry.
  n              INTEGER PRIMARY KEY, -- the rowid of its row in search; it means nothing else, and another commit may give it another
  ref            TEXT NOT NULL UNIQUE, -- kind and id, such as dpg/dhis2: what all other tables name an entry by
  kind           TEXT NOT NULL, -- dpg or resource
  id             TEXT NOT NULL,
  live           INTEGER NOT NULL, -- 1 for stages nominee, dpg and listed; 0 for what is archived, declined, renamed or removed
  stage          TEXT NOT NULL,
  recognised_by  TEXT, -- who recognised it as a digital public good
  status_as_of   TEXT, -- the date of that, 2006-01-02
  status_url     TEXT,
  status_reason  TEXT, -- why it is archived, declined or removed
  moved_to       TEXT, -- the id that stands for a renamed one
  review_by      TEXT,
  name           TEXT,
  description    TEXT, -- by a person
  summary        TEXT, -- of the assessment, by an engine or a person
  website        TEXT,
  url            TEXT, -- of a resource: where it is read
  format         TEXT, -- of a resource: guide, paper, toolkit ...
  published      TEXT, -- of a resource: a year, month or day
  contact_url    TEXT,
  sbom_url       TEXT, -- its own list of what it depends on, an SPDX document
  language       TEXT, -- of the entry's plain text, BCP 47
  path           TEXT NOT NULL, -- of its file in the catalog, relative to api/v1/
  source_path    TEXT NOT NULL, -- of its file in the Git repository
  updated_at     TEXT, -- when the entry was last changed, RFC 3339
  updated_commit TEXT,
  json           TEXT NOT NULL -- the entry as api/v1 has it; read it with json_extract
) STRICT;
CREATE INDEX entries_id ON entries (id);

CREATE TABLE texts (
  -- Prose in every language it is there in.
  ref      TEXT NOT NULL REFERENCES entries (ref),
  field    TEXT NOT NULL, -- description, summary, status_reason, sdgs/3 for what is said of goal 3, standard/privacy for an answer
  language TEXT NOT NULL, -- BCP 47
  text     TEXT NOT NULL,
  PRIMARY KEY (ref, field, language)
) STRICT, WITHOUT ROWID;

CREATE TABLE terms (
  -- Words that entries are sorted by.
  ref      TEXT NOT NULL REFERENCES entries (ref),
  field    TEXT NOT NULL, -- aliases, types, sectors, topics, languages, about
  position INTEGER NOT NULL, -- from 1, as its author put them
  value    TEXT NOT NULL,
  PRIMARY KEY (ref, field, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX terms_value ON terms (field, value);

CREATE TABLE licenses (
  ref        TEXT NOT NULL REFERENCES entries (ref),
  position   INTEGER NOT NULL,
  expression TEXT NOT NULL, -- SPDX licence expression
  covers     TEXT, -- the part of the work it is for; NULL is all of it
  url        TEXT,
  PRIMARY KEY (ref, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE license_ids (
  -- The ids in those expressions, each once.
  ref        TEXT NOT NULL REFERENCES entries (ref),
  license_id TEXT NOT NULL, -- of the SPDX list, or LicenseRef-
  PRIMARY KEY (ref, license_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX license_ids_id ON license_ids (license_id);

CREATE TABLE repositories (
  ref      TEXT NOT NULL REFERENCES entries (ref),
  position INTEGER NOT NULL,
  name     TEXT,
  url      TEXT,
  PRIMARY KEY (ref, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE sdgs (
  -- Claims of relevance to the Sustainable Development Goals.
  ref      TEXT NOT NULL REFERENCES entries (ref),
  position INTEGER NOT NULL,
  goal     INTEGER NOT NULL, -- 1 to 17
  text     TEXT, -- in what way
  PRIMARY KEY (ref, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX sdgs_goal ON sdgs (goal);

CREATE TABLE organizations (
  ref      TEXT NOT NULL REFERENCES entries (ref),
  position INTEGER NOT NULL,
  name     TEXT,
  role     TEXT, -- owner, maintainer, funder, implementer, publisher, author
  website  TEXT,
  PRIMARY KEY (ref, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX organizations_name ON organizations (name);

CREATE TABLE locations (
  ref      TEXT NOT NULL REFERENCES entries (ref),
  relation TEXT NOT NULL, -- developed_in or deployed_in
  country  TEXT NOT NULL, -- ISO 3166-1 alpha-2, and XK
  PRIMARY KEY (ref, relation, country)
) STRICT, WITHOUT ROWID;
CREATE INDEX locations_country ON locations (country, relation);

CREATE TABLE answers (
  -- Answers of owners to the questions of the DPG Standard.
  ref       TEXT NOT NULL REFERENCES entries (ref),
  question  TEXT NOT NULL, -- as in a file, such as data_export
  indicator TEXT NOT NULL, -- code in the framework dpg-standard
  answer    TEXT, -- yes, no, unknown, not-asked, not-applicable; NULL for an open question
  text      TEXT,
  items     TEXT NOT NULL, -- JSON list
  source    TEXT,
  as_of     TEXT,
  PRIMARY KEY (ref, question)
) STRICT, WITHOUT ROWID;

CREATE TABLE evidence (
  -- What entries point at, for a goal or an answer: links, or words that lead there.
  ref      TEXT NOT NULL REFERENCES entries (ref),
  field    TEXT NOT NULL, -- sdgs/3 for the claim at that position in sdgs, standard/privacy
  position INTEGER NOT NULL,
  evidence TEXT NOT NULL,
  PRIMARY KEY (ref, field, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE sources (
  -- Where the facts of an entry come from.
  ref      TEXT NOT NULL REFERENCES entries (ref),
  position INTEGER NOT NULL,
  name     TEXT,
  url      TEXT,
  as_of    TEXT,
  PRIMARY KEY (ref, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE identifiers (
  -- Names that others have for an entry.
  scheme TEXT NOT NULL, -- dial, dpga, purl, repository, wikidata
  value  TEXT NOT NULL,
  ref    TEXT NOT NULL REFERENCES entries (ref),
  PRIMARY KEY (scheme, value, ref)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifiers_ref ON identifiers (ref);

CREATE TABLE frameworks (
  id          TEXT PRIMARY KEY,
  title       TEXT,
  version     TEXT,
  url         TEXT,
  license     TEXT, -- of the source
  attribution TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE codes (
  code        TEXT PRIMARY KEY, -- framework and id, such as dpi-safeguards/O3
  framework   TEXT NOT NULL REFERENCES frameworks (id),
  list        TEXT NOT NULL, -- the sort of code
  position    INTEGER NOT NULL, -- in the framework's own order
  title       TEXT,
  description TEXT,
  parent      TEXT, -- the code it is part of
  url         TEXT
) STRICT, WITHOUT ROWID;

CREATE TABLE mappings (
  -- Readings of an entry's words: that they support a code, never that the product complies.
  ref       TEXT NOT NULL REFERENCES entries (ref),
  code      TEXT NOT NULL, -- in codes, where its framework is published
  framework TEXT NOT NULL,
  strength  INTEGER NOT NULL, -- 2 clear, 1 weak
  state     TEXT NOT NULL, -- proposed, confirmed_by_steward, confirmed_by_registry, rejected
  engines   TEXT NOT NULL, -- JSON list
  PRIMARY KEY (ref, code)
) STRICT, WITHOUT ROWID;
CREATE INDEX mappings_code ON mappings (code, strength);

CREATE TABLE quotes (
  -- The words that a mapping rests on, as they stand in the entry.
  ref      TEXT NOT NULL REFERENCES entries (ref),
  code     TEXT NOT NULL,
  position INTEGER NOT NULL,
  pointer  TEXT NOT NULL, -- RFC 6901, into the entry's source file
  quote    TEXT NOT NULL,
  PRIMARY KEY (ref, code, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE changes (
  -- What each commit did to entries. Empty where the file was made without Git's history.
  seq        INTEGER PRIMARY KEY, -- from 1
  action     TEXT NOT NULL, -- added, changed, renamed, removed
  ref        TEXT NOT NULL, -- of an entry that may be gone
  fields     TEXT NOT NULL, -- JSON list of RFC 6901 pointers
  stage      TEXT, -- afterwards
  reason     TEXT,
  moved_to   TEXT,
  commit_id  TEXT NOT NULL,
  changed_at TEXT NOT NULL
) STRICT;
CREATE INDEX changes_ref ON changes (ref);

-- Full-text index of live entries; join entries on n = search.rowid. In all languages.
CREATE VIRTUAL TABLE search USING fts5 (
  name, aliases, description, summary, terms, organizations,
  tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);
