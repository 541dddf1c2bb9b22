using BenchmarkDotNet.Running;

BenchmarkSwitcher.FromAssembly(typeof(LoadBalancer.Benchmarks.Http.RequestHeadBenchmarks).Assembly).Run(args);
