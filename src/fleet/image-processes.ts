import { Slots } from '../threads/slots.js';
import { type AskOptions, ImageProcess } from './image-process.js';
import type { Task } from './messages.js';

/** Some processes for images, each of which has one at a time. Close them in any case. */
export class ImageProcesses {
  readonly #slots: Slots;
  readonly #idle: ImageProcess[] = [];

  constructor(count: number) {
    this.#slots = new Slots(count);
  }

  /** As {@link ImageProcess.ask}, once one of them is free. */
  async ask<T extends Task['kind']>(task: Task & { readonly kind: T }, options: AskOptions) {
    await this.#slots.take();
    const one = this.#idle.pop() ?? new ImageProcess();
    try {
      return await one.ask(task, options);
    } finally {
      this.#idle.push(one);
      this.#slots.give();
    }
  }

  /** To be called when nothing is asked any more. */
  async close(): Promise<void> {
    await Promise.all(this.#idle.splice(0).map((one) => one.end()));
  }
}
