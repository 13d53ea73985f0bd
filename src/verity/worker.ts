import { ioError } from '../errors.js';
import { serve } from '../threads/serve.js';
import { type Pass, work } from './pass.js';

serve<Pass, void>({
  work(pass) {
    try {
      for (const _ of work(pass, 1));
    } catch (error) {
      throw ioError(error, 'the image');
    }
  },
});
