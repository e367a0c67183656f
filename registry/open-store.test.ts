import { describe, expect, it } from 'vitest';
import { defaultPublisher, s3Environment } from './config.ts';
import { openStore } from './open-store.ts';

const s3 = { endpoint: 'http://127.0.0.1:1', fallbackRegion: 'us-east-1' };

describe('openStore', () => {
  it.each([
    ['s3://models', 's3://models', false],
    ['s3://models/', 's3://models', false],
    ['s3://models/prod/eu/', 's3://models/prod/eu', false],
    ['file:///srv/models', 'file:///srv/models', true],
    ['file:///srv/my%20models/', 'file:///srv/my%20models', true],
    ['file:///', 'file:///', true],
  ])('%s', (url, shown, mayTear) => {
    const store = openStore(url, { s3 });
    expect([store.url, store.mayTear]).toEqual([shown, mayTear]);
    store.close();
  });

  it.each([
    ['', /use s3:/],
    ['models', /use s3:/],
    ['/srv/models', /Did you mean file:\/\/\/srv\/models\?/],
    ['./models', /Did you mean file:\/\/.*\/models\?/],
    ['https://models.s3.amazonaws.com', /use s3:/],
    ['gs://models', /use s3:/],
    ['s3://', /'' cannot name an S3 bucket/],
    ['s3:///prod', /'' cannot name an S3 bucket/],
    ['s3://my bucket', /cannot name an S3 bucket/],
    ['s3://models//prod', /cannot be a prefix/],
    ['s3://models/../other', /cannot be a prefix/],
    ['s3://models/prod?x=1', /cannot be a prefix/],
    ['file://srv/models', /three slashes/],
    ['file://./models', /three slashes/],
  ])('refuses %j', (url, sentence) =>
    expect(() => openStore(url, { s3 })).toThrow(
      expect.objectContaining({ code: 'config-invalid', message: expect.stringMatching(sentence) }),
    ),
  );

  it('says how to give credentials where there are none', async () => {
    const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE', 'HOME', 'AWS_EC2_METADATA_DISABLED'];
    const before = names.map((name) => [name, process.env[name]] as const);
    for (const name of names) delete process.env[name];
    Object.assign(process.env, { HOME: '/nonexistent', AWS_EC2_METADATA_DISABLED: 'true' });
    try {
      await expect(openStore('s3://models', { s3 }).get('a')).rejects.toMatchObject({
        code: 'bucket-unreachable',
        message: expect.stringMatching(/no credentials were found. Set AWS_ACCESS_KEY_ID/),
      });
      const noRegion = openStore('s3://models', { s3: { credentials: { accessKeyId: 'a', secretAccessKey: 'b' } } });
      await expect(noRegion.get('a')).rejects.toMatchObject({ message: expect.stringContaining('Set AWS_REGION.') });
    } finally {
      for (const [name, value] of before) {
        if (value === undefined) delete process.env[name];
        else process.env[name] = value;
      }
    }
  });
});

it.each([
  [{}, { endpoint: undefined, fallbackRegion: undefined }],
  [{ AWS_DEFAULT_REGION: 'eu-west-1' }, { endpoint: undefined, fallbackRegion: 'eu-west-1' }],
  [{ AWS_ENDPOINT_URL: 'http://a' }, { endpoint: 'http://a', fallbackRegion: 'us-east-1' }],
  [
    { AWS_ENDPOINT_URL: 'http://a', AWS_ENDPOINT_URL_S3: 'http://b' },
    { endpoint: 'http://b', fallbackRegion: 'us-east-1' },
  ],
])('the environment %j', (env, expected) => expect(s3Environment(env)).toEqual(expected));

it.each([
  [{ AWS_ENDPOINT_URL_S3: 'minio:9000' }, /^AWS_ENDPOINT_URL_S3 must be the URL/],
  [{ AWS_ENDPOINT_URL_S3: 'http://user:geheim@mi nio' }, /^AWS_ENDPOINT_URL_S3 must be the URL/],
  [{ AWS_ENDPOINT_URL: 'minio' }, /^AWS_ENDPOINT_URL must be the URL/],
])('an endpoint that is no URL is named: %j', (env, sentence) => {
  const error = { code: 'config-invalid', message: expect.stringMatching(sentence) };
  expect(() => s3Environment(env)).toThrow(expect.objectContaining(error));
  expect(() => s3Environment(env)).not.toThrow(/geheim/);
});

it('tells no password of an endpoint or a bucket in a sentence', async () => {
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const endpoint = 'http://user:geheim@127.0.0.1:1';
  const store = openStore('s3://models', { s3: { endpoint, fallbackRegion: 'us-east-1', credentials } });
  const error = await store.get('a').catch((thrown: unknown) => thrown);
  store.close();
  expect((error as Error).message).toContain('http://127.0.0.1:1 cannot be reached');
  expect((error as Error).message).not.toContain('geheim');
  expect(() => openStore('https://user:geheim@models.example')).toThrow(/'https:\/\/models\.example' cannot be used/);
  expect(() => openStore('s3://user:geheim@models')).not.toThrow(/geheim/);
  expect(() => openStore('s3://user:geheim@models')).toThrow(/cannot name an S3 bucket/);
});

it('gives each run of a publisher another name', () => {
  expect(defaultPublisher(() => 0.1)).toMatch(/^.+@.+\/[0-9a-z]{10}$/);
  expect(defaultPublisher(() => 0.1)).not.toBe(defaultPublisher(() => 0.1000001));
});
