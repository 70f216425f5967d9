"""FASTQ and BAM files, one sample at a time: checks, names, mates, strandedness, molecules."""
