#!/bin/sh
# A job on a machine of its own: a new folder below $NODES, which holds nothing of the run or of the workflow.
node=$(mktemp -d "$NODES/node.XXXXXX") && cd "$node" || exit 1
unset PYTHONPATH
nohup setsid sh -c "sh '$1'; echo \$? >code" >output 2>&1 &
echo "$node"
