import type { Walk } from './walk.ts';

const KEDGE = import.meta.url.endsWith('.ts') ? 'npm run kedge --' : 'kedge';

/** Lines to try while it runs. They are run as they are by a test. */
export function whatNext(
  { url, adminUrl, bucket, bucketDir, historyDir, dir }: Walk,
  model: string,
  row: Readonly<Record<string, unknown>>,
): string {
  return `
Try next, in another terminal:

  # a prediction by domain row, and every version with its state
  curl -s ${url}/v1/models/${model}:predict -d '${JSON.stringify({ instances: [row] })}'
  curl -s ${url}/v2/models/${model}/versions

  # the history: zones, gaps, and the course of each
  KEDGE_HISTORY=${historyDir} ${KEDGE} history show

  # train anew with the day that came: what is no worse than the version that serves goes live
  KEDGE_HISTORY=${historyDir} ${KEDGE} train --all --models ${model} --bucket ${bucket}

  # a file that is no model: refused, with a reason
  mkdir -p ${bucketDir}/${model}/9 && echo '<html>' > ${bucketDir}/${model}/9/model.onnx

  # back to version 1, and metrics
  ${KEDGE} pin ${model} 1 --bucket ${bucket}
  curl -s ${adminUrl}/metrics

Logs: ${dir}/load.log and ${dir}/serve.log. Ctrl-C ends it.`;
}
