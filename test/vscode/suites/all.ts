// Every suite that runs inside the extension host, in this order; a suite not named here does not run.
import './activation.ts';
import './indexing.ts';
import './checkout.ts';
import './following.ts';
import './agent.ts';
import './children.ts';
