using LoadBalancer.Core.Configuration;

namespace LoadBalancer.Discovery;

/// <summary>Reads the text of a file of destinations.</summary>
/// <param name="utf8">All of it.</param>
/// <param name="fileName">Where it stood, for problems.</param>
/// <param name="problem">What is wrong with it, one line, with its place; empty when nothing is.</param>
/// <returns>The destinations by name; null with a problem.</returns>
public delegate IReadOnlyDictionary<string, DestinationConfig>? DestinationFileReader(ReadOnlyMemory<byte> utf8, string fileName, out string problem);
