return await LoadBalancer.Edge.CommandLine.RunAsync(args);
