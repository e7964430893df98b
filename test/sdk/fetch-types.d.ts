/** The generated client names this type of browsers, which Node's own types of `fetch` leave out. */
type BodyInit = NonNullable<RequestInit['body']>;
