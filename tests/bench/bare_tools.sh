#!/usr/bin/env bash
# The tool commands of the workflow from reads to counts, and nothing else: no checks, no verdicts, no cohort file.
# usage: bare_tools.sh READS GENOME GTF BED OUT SAMPLE...    two samples at a time, one thread each
set -euo pipefail
reads=$1 genome=$2 gtf=$3 bed=$4 out=$5
shift 5
mkdir -p "$out"/{raw,trimmed,index}
STAR --runMode genomeGenerate --runThreadN 2 --genomeDir "$out/index" --genomeFastaFiles "$genome" --sjdbGTFfile "$gtf" \
    --genomeSAindexNbases 9 --outFileNamePrefix "$out/index/" > /dev/null
# FastQC of every tenth read: 100,000 of a million
part() {
    folder=$1
    mkdir -p "$folder"
    shift
    for file in "$@"; do
        gzip -cd "$file" | awk 'int((NR - 1) / 4) % 10 == 0' > "$folder/$(basename "$file" .gz)"
    done
    fastqc --quiet --threads 1 --outdir "$folder" "$folder"/*.fastq
    rm "$folder"/*.fastq
}
one() {
    reads=$1 gtf=$2 bed=$3 out=$4 name=$5
    first=$reads/${name}_R1.fastq.gz second=$reads/${name}_R2.fastq.gz
    short=$out/trimmed/${name}_R1.fastq.gz short2=$out/trimmed/${name}_R2.fastq.gz
    export JAVA_TOOL_OPTIONS="-XX:+UseSerialGC -XX:TieredStopAtLevel=1"
    part "$out/raw/$name" "$first" "$second"
    fastp --in1 "$first" --in2 "$second" --out1 "$short" --out2 "$short2" --json "$out/$name.fastp.json" \
        --html /dev/null --thread 1 --compression 1 --dont_eval_duplication --detect_adapter_for_pe --length_required 30
    part "$out/fastqc/$name" "$short" "$short2"
    STAR --runThreadN 1 --genomeDir "$out/index" --readFilesIn "$short" "$short2" --readFilesCommand gzip -cd \
        --outFileNamePrefix "$out/$name." --outSAMtype BAM Unsorted --outStd BAM_Unsorted --outBAMcompression 0 \
        --outSAMunmapped Within --outSAMmultNmax 1 \
        | samtools sort -l 1 -T "$out/$name" --write-index -o "$out/$name.bam##idx##$out/$name.bam.bai" -
    samtools flagstat --output-fmt json "$out/$name.bam" > "$out/$name.flagstat.json"
    samtools stats "$out/$name.bam" > "$out/$name.stats.txt"
    samtools view --bam --fast --subsample 0.1 --subsample-seed 1 --write-index \
        --output "$out/$name.part.bam##idx##$out/$name.part.bam.bai" "$out/$name.bam"
    infer_experiment.py -i "$out/$name.part.bam" -r "$bed" > "$out/$name.infer.txt"
    read_distribution.py -i "$out/$name.part.bam" -r "$bed" > "$out/$name.read_distribution.txt"
    junction_annotation.py -i "$out/$name.part.bam" -r "$bed" -o "$out/$name" 2> "$out/$name.junctions.txt"
    cd "$out" && geneBody_coverage.py -i "$out/$name.part.bam" -r "$bed" -o "$out/$name" -f png
    featureCounts -T 1 -p --countReadPairs -s 2 -t exon -g gene_id -a "$gtf" -o "$out/$name.counts.txt" "$out/$name.bam"
    rm "$short" "$short2" "$out/$name.part.bam"
}
export -f one part
printf '%s\n' "$@" | xargs -P 2 -I NAME bash -euc 'one "$@" NAME' bash "$reads" "$gtf" "$bed" "$out" > "$out/log" 2>&1
multiqc --quiet --force --no-version-check --outdir "$out/multiqc" "$out" > /dev/null
