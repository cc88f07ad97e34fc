"""The file of a case, for an auditor: all that is kept of it, with a digest that shows if it was changed.

asking     references as people write them: one a line, or with commas
reading    a case from the database, in short transactions, however large it is
facts      rows to plain values: text, numbers, truths
canonical  plain values to bytes, always the same ones; of these the digest is made
giving     the JSON file, case by case, each noted before it leaves
printing   as much of it as a page can print
checking   how anybody checks that a file is unchanged
"""
