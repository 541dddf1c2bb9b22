namespace LoadBalancer.Scripting.State;

/// <summary>A value of a script's store: a text, or where that is null, a number.</summary>
internal readonly record struct StoredValue(string? Text, double Number);
