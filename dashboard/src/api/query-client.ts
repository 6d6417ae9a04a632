import { QueryClient } from '@tanstack/react-query';
import { ApiProblem } from './problem';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      // Asked in any case: a browser that believes to be offline may reach the host all the same, and a banner tells when not.
      networkMode: 'always',
      // What was refused is refused again; only a server that is away is asked again.
      retry: (failures, error) =>
        !(error instanceof ApiProblem && error.status < 500) && failures < 2,
    },
    mutations: { networkMode: 'always' },
  },
});
