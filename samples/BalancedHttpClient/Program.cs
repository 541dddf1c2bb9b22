// The proxy's balancing without the proxy: an HttpClient that spreads its own requests over servers, and learns which of them are quick.
//   dotnet run --project samples/BalancedHttpClient -- http://127.0.0.1:5000 http://127.0.0.1:5001
using LoadBalancer.Samples;

using var client = new HttpClient(new BalancingHandler([.. args.Select(server => new Uri(server))]));
for (int i = 0; i < 20; i++) Console.WriteLine(await client.GetStringAsync(new Uri("http://balanced/")));
