import { describe, expect, it } from 'vitest';
import { accountEmail, buildBucketName, imageOf } from '../../../src/domain/cloud/names.ts';

describe('names in a project of an organization’s domain', () => {
  it('turns an account’s address round, as Google does', () => {
    expect(accountEmail('api', 'example.com:shop')).toBe('api@shop.example.com.iam.gserviceaccount.com');
    expect(accountEmail('api', 'shop-1')).toBe('api@shop-1.iam.gserviceaccount.com');
  });

  it('gives the bucket of builds a name that a bucket may have', () => {
    expect(buildBucketName('example.com:shop')).toMatch(/^[a-z0-9-]+$/);
    expect(buildBucketName('shop-1')).toBe('shop-1-evenkeel-builds');
  });

  it('finds images a folder deeper', () => {
    const cloud = { project: 'example.com:shop', region: 'europe-west1', repository: { name: 'apps' } };
    expect(imageOf(cloud, 'api')).toBe('europe-west1-docker.pkg.dev/example.com/shop/apps/api');
  });
});
