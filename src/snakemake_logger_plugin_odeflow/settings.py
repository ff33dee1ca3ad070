"""The options of the plugin on Snakemake's command line."""

from dataclasses import dataclass, field

from snakemake_interface_logger_plugins.settings import LogHandlerSettingsBase


@dataclass
class LogHandlerSettings(LogHandlerSettingsBase):
    """`--logger-odeflow-full`: whether all is shown that Snakemake says."""

    full: bool = field(
        default=False,
        metadata={"help": "Show Snakemake's own output instead of a few lines.", "required": False},
    )
