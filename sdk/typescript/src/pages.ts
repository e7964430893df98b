/** One page of a list, as the server answers it. */
export interface Page<T> {
  data: T[];
  paging: { next?: { after?: string } };
}

/**
 * A list that is asked for when it is used: `await` answers its first page, `for await` every item of it and of all the
 * pages that follow. Each use asks anew.
 */
export class Pages<P extends Page<unknown>>
  implements PromiseLike<P>, AsyncIterable<P['data'][number]>
{
  /** `fetchPage` answers the page after a cursor; without one, the first that was asked for. */
  constructor(private readonly fetchPage: (after?: string) => Promise<P>) {}

  then<A = P, B = never>(
    onFulfilled?: ((page: P) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.fetchPage().then(onFulfilled, onRejected);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<P['data'][number], void, undefined> {
    let after: string | undefined;
    do {
      const page = await this.fetchPage(after);
      yield* page.data as P['data'][number][];
      after = page.paging.next?.after;
    } while (after !== undefined);
  }
}
