"""Print the catalogue as TSV."""

from tests.faults import catalogue

print("area", "fault", "where", "outcome", "message", sep="\t")
for row in catalogue.table():
    print(*row, sep="\t")
