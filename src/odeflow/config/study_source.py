"""Hydra's way to the study's own files, which are read as `study_files` reads them."""

from pathlib import Path

from hydra._internal.core_plugins.file_config_source import FileConfigSource
from hydra.plugins.config_source import ConfigResult
from omegaconf import OmegaConf

from odeflow.config.study_files import read_keys_and_values


class StudyFiles(FileConfigSource):
    """Hydra's source of the study's `config/`. Raises ConfigError where a file cannot be read."""

    @staticmethod
    def scheme() -> str:
        """What its paths start with in Hydra's search path."""
        return "study"

    def load_config(self, config_path: str) -> ConfigResult:
        """A file of the study, in the form that Hydra expects."""
        name = self._normalize_file_name(config_path)
        text, data = read_keys_and_values(Path(self.path) / name, str(Path("config") / name))
        return ConfigResult(
            provider=self.provider,
            path=f"{self.scheme()}://{self.path}",
            config=OmegaConf.create(data),
            header=self._get_header_dict(text[:512]),
        )
