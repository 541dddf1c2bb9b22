using System.Globalization;
using LoadBalancer.Fuzz;
using LoadBalancer.Fuzz.Targets;

const string Usage = """
    usage: LoadBalancer.Fuzz [target ...] [--iterations N] [--minutes M] [--seed S] [--corpus DIR] [--input FILE] [--export DIR] [--afl]
      target        request, response, chunked, trailer, path, proxyheader, clienthello, cacherules; default all
      --iterations  inputs for each target; default 100000
      --minutes     ends a target after so long instead
      --seed        of the random choices; default from the clock, printed
      --corpus      folder with a folder of further samples for each target; inputs that behaved in a new way are added
      --input       runs this one input, bytes as they are in the file: one that has failed
      --export      writes the samples as bytes, for other fuzzers
      --afl         runs under afl-fuzz: see the script "afl"
    """;

var all = new Dictionary<string, Func<IFuzzTarget>>
{
    ["request"] = () => new RequestTarget(),
    ["response"] = () => new ResponseTarget(),
    ["chunked"] = () => new ChunkedTarget(),
    ["trailer"] = () => new TrailerTarget(),
    ["path"] = () => new PathTarget(),
    ["proxyheader"] = () => new ProxyHeaderTarget(),
    ["clienthello"] = () => new ClientHelloTarget(),
    ["cacherules"] = () => new CacheRulesTarget(),
};
var chosen = new List<Func<IFuzzTarget>>();
long iterations = 100_000;
double minutes = 0;
int seed = Environment.TickCount & int.MaxValue;
string? corpusFolder = null, inputFile = null, exportFolder = null;
bool isUnderAfl = false;
try
{
    for (int i = 0; i < args.Length; i++)
    {
        switch (args[i])
        {
            case "--iterations": iterations = long.Parse(args[++i], CultureInfo.InvariantCulture); break;
            case "--minutes": minutes = double.Parse(args[++i], CultureInfo.InvariantCulture); break;
            case "--seed": seed = int.Parse(args[++i], CultureInfo.InvariantCulture); break;
            case "--corpus": corpusFolder = args[++i]; break;
            case "--input": inputFile = args[++i]; break;
            case "--export": exportFolder = args[++i]; break;
            case "--afl": isUnderAfl = true; break;
            default: chosen.Add(all[args[i]]); break;
        }
    }
}
catch (Exception e) when (e is FormatException or OverflowException or KeyNotFoundException or IndexOutOfRangeException)
{
    Console.Error.WriteLine(Usage);
    return 2;
}
if (chosen.Count == 0) chosen = [.. all.Values];

if (isUnderAfl)
{
    IFuzzTarget? target = null; // made inside: instrumented code runs only there
    SharpFuzz.Fuzzer.OutOfProcess.Run(stream =>
    {
        using var input = new MemoryStream();
        stream.CopyTo(input);
        (target ??= chosen[0]()).Run(input.ToArray(), new Random(1), isThorough: false);
    });
    return 0;
}

foreach (Func<IFuzzTarget> make in chosen)
{
    var campaign = new Campaign(make(), seed, corpusFolder);
    if (exportFolder is not null) campaign.Export(exportFolder);
    else if (!(inputFile is null ? campaign.Run(iterations, minutes) : campaign.RunOne(File.ReadAllBytes(inputFile)))) return 1;
}
return 0;
