/** The client went away before its request was whole: nobody reads the answer, and it is counted as 499. */
export class ClientGone extends Error {
  constructor() {
    super('The request ended before its body was whole.');
    this.name = 'ClientGone';
  }
}
