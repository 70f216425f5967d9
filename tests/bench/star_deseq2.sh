#!/usr/bin/env bash
# The steps of snakemake-workflows/rna-seq-star-deseq2 (3.1.1) up to counts, as plain commands: fastp, STAR with
# GeneCounts, eight RSeQC modules on all alignments, MultiQC.
# usage: star_deseq2.sh READS GENOME GTF BED OUT SAMPLE...    two samples at a time, one thread each
set -euo pipefail
reads=$1 genome=$2 gtf=$3 bed=$4 out=$5
shift 5
mkdir -p "$out"/{trimmed,index,rseqc}
STAR --runMode genomeGenerate --runThreadN 2 --genomeDir "$out/index" --genomeFastaFiles "$genome" --sjdbGTFfile "$gtf" \
    --genomeSAindexNbases 9 --outFileNamePrefix "$out/index/" > /dev/null
one() {
    reads=$1 gtf=$2 bed=$3 out=$4 name=$5
    short=$out/trimmed/${name}_R1.fastq.gz short2=$out/trimmed/${name}_R2.fastq.gz
    fastp --in1 "$reads/${name}_R1.fastq.gz" --in2 "$reads/${name}_R2.fastq.gz" --out1 "$short" --out2 "$short2" \
        --json "$out/$name.fastp.json" --html "$out/$name.html" --thread 1 --detect_adapter_for_pe
    STAR --runThreadN 1 --genomeDir "$out/index" --readFilesIn "$short" "$short2" --readFilesCommand gzip -cd \
        --outFileNamePrefix "$out/$name." --outSAMtype BAM SortedByCoordinate --quantMode GeneCounts \
        --limitBAMsortRAM 4000000000
    bam=$out/$name.Aligned.sortedByCoord.out.bam prefix=$out/rseqc/$name
    samtools index "$bam"
    junction_annotation.py -q 255 -i "$bam" -r "$bed" -o "$prefix" 2> "$prefix.junctions.txt"
    junction_saturation.py -q 255 -i "$bam" -r "$bed" -o "$prefix"
    bam_stat.py -i "$bam" > "$prefix.stats.txt"
    infer_experiment.py -r "$bed" -i "$bam" > "$prefix.infer.txt"
    inner_distance.py -r "$bed" -i "$bam" -o "$prefix"
    read_distribution.py -r "$bed" -i "$bam" > "$prefix.read_distribution.txt"
    read_duplication.py -i "$bam" -o "$prefix"
    read_GC.py -i "$bam" -o "$prefix"
    rm "$short" "$short2"
}
export -f one
printf '%s\n' "$@" | xargs -P 2 -I NAME bash -euc 'one "$@" NAME' bash "$reads" "$gtf" "$bed" "$out" > "$out/log" 2>&1
multiqc --quiet --force --no-version-check --outdir "$out/multiqc" "$out" > /dev/null
