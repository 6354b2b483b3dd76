import { fakeCloud } from '../support/cloud/fake-cloud.ts';
import { cloudSuite } from './cloud-suite.ts';

cloudSuite('in memory', () => Promise.resolve({ cloud: fakeCloud(), close: () => Promise.resolve() }));
