import { spawnSync } from 'node:child_process';
import { KUBERNETES } from './schemas.ts';

/** What kube-score would have otherwise, of which objects, and why it is as it is. */
export interface Exception {
  check: string;
  /** `Kind/group/version/namespace/name`, or a part of it. */
  objects: RegExp;
  why: string;
}

export const EXCEPTIONS: Exception[] = [
  {
    check: 'container-image-pull-policy',
    objects: /./,
    why: 'images are named by version or digest, so a node that has one need not ask for it; and a laptop has no registry',
  },
  {
    check: 'deployment-has-host-podantiaffinity',
    objects: /\/kedge$/,
    why: 'topologySpreadConstraints spread pods over hosts and zones, and count those of one revision alone',
  },
  {
    check: 'deployment-strategy',
    objects: /\/kedge-(s3|redis|postgres|loader)$/,
    why: 'two at once would write one folder: the old one ends first (Recreate)',
  },
  {
    check: 'horizontalpodautoscaler-replicas',
    objects: /\/kedge-dev\/kedge$/,
    why: 'one pod is enough on a laptop',
  },
  {
    check: 'pod-networkpolicy',
    objects: /./,
    why: 'a component, since its rules name namespaces of the platform; where it is in, this exception is not taken',
  },
  {
    check: 'networkpolicy-targets-pod',
    objects: /\/kedge-trainer$/,
    why: 'trainings come and go, and the policy is there before them',
  },
  {
    check: 'deployment-replicas',
    objects: /\/kedge-(s3|redis|postgres|loader)$/,
    why: 'one by design: servers go on without the loader, and a laptop without a second store',
  },
  {
    check: 'deployment-replicas',
    objects: /\/kedge\/kedge$/,
    why: 'a ScaledObject, which kube-score does not know, owns the number of pods',
  },
  {
    check: 'container-security-context-user-group-id',
    objects: /\/kedge-postgres$/,
    why: 'the image of Postgres has user 70',
  },
  {
    check: 'pod-probes',
    objects: /\/kedge-(s3|redis|postgres)$/,
    why: 'a store of a laptop that hangs is started anew by hand',
  },
];

export interface Complaint {
  check: string;
  object: string;
  said: string;
  exception: Exception | undefined;
}

/** Grades run from 1, critical, to 10. */
const GOOD = 10;

/** What kube-score says against rendered manifests. @param program its path */
export function complaints(program: string, text: string): Complaint[] {
  const version = `v${KUBERNETES.replace(/\.\d+$/, '')}`;
  const args = ['score', '--kubernetes-version', version, '--output-format', 'json', '-'];
  const { stdout, stderr } = spawnSync(program, args, { input: text, encoding: 'utf8', maxBuffer: 2 ** 26 });
  if (!stdout.startsWith('[')) throw new Error(`kube-score: ${stderr || stdout}`);
  // Where there are policies, every pod must have one.
  const allowed = EXCEPTIONS.filter(
    ({ check }) => check !== 'pod-networkpolicy' || !text.includes('kind: NetworkPolicy'),
  );
  const objects = JSON.parse(stdout) as {
    object_name: string;
    checks: {
      check: { id: string };
      grade: number;
      skipped: boolean;
      comments: { path: string; summary: string }[] | null;
    }[];
  }[];
  return objects.flatMap(({ object_name: object, checks }) =>
    checks
      .filter(({ grade, skipped }) => !skipped && grade < GOOD)
      .map(({ check: { id }, comments }) => ({
        check: id,
        object,
        said: (comments ?? []).map(({ path, summary }) => `${path} ${summary}`.trim()).join('; '),
        exception: allowed.find((one) => one.check === id && one.objects.test(object)),
      })),
  );
}
