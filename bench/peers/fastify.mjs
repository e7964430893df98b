// A constant, and nothing else: what the web framework and the machine can do.
import Fastify from 'fastify';
import { ready } from './ready.mjs';

const app = Fastify();
app.get('/constant', () => ({ status: 'ok' }));
await app.listen({ port: 0, host: '127.0.0.1' });
ready(app.server);
