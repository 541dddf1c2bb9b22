using System.Globalization;
using LoadBalancer.Fuzz;
using LoadBalancer.Fuzz.Targets;

const string Usage = """
    usage: LoadBalancer.Fuzz [target ...] [--iterations N] [--minutes M] [--seed S] [--corpus DIR] [--input FILE]
      target        request, response, chunked, trailer, path; default all
      --iterations  inputs for each target; default 100000
      --minutes     ends a target after so long instead
      --seed        of the random choices; default from the clock, printed
      --corpus      folder with a folder of samples for each target; inputs that behaved in a new way are added. Default: the samples of the project
      --input       runs one sample only, as it is written for a failure
    """;

IFuzzTarget[] all = [new RequestTarget(), new ResponseTarget(), new ChunkedTarget(), new TrailerTarget(), new PathTarget()];
var chosen = new List<IFuzzTarget>();
long iterations = 100_000;
double minutes = 0;
int seed = Environment.TickCount & int.MaxValue;
string? corpusFolder = null, inputFile = null;
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
            default: chosen.Add(all.Single(target => target.Name == args[i])); break;
        }
    }
}
catch (Exception e) when (e is FormatException or OverflowException or InvalidOperationException or IndexOutOfRangeException)
{
    Console.Error.WriteLine(Usage);
    return 2;
}

foreach (IFuzzTarget target in chosen.Count > 0 ? chosen : [.. all])
{
    var campaign = new Campaign(target, seed, corpusFolder);
    bool passed = inputFile is null ? campaign.Run(iterations, minutes) : campaign.RunOne(Sample.Read(inputFile));
    if (!passed) return 1;
}
return 0;
