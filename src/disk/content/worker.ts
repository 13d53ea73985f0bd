import { ioError } from '../../errors.js';
import { serve } from '../../threads/serve.js';
import type { Runs } from '../runs.js';
import { type Order, work } from './work.js';

serve<Order, Runs>({
  work(order) {
    try {
      const steps = work(order, 1);
      let step = steps.next();
      while (!step.done) step = steps.next();
      return step.value;
    } catch (error) {
      throw ioError(error, 'content');
    }
  },
});
